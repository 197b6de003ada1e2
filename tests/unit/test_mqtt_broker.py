"""Where the MQTT broker is, and who we are there; a password is in no address and in no log."""

import pytest

from smart_boiler_plugin.devices.broker import PASSWORD, USER, Broker
from smart_boiler_plugin.errors import SmartBoilerError


@pytest.mark.parametrize(
    ("url", "host", "port", "encrypted"),
    [
        ("mqtt://mqtt.example.com", "mqtt.example.com", 1883, False),
        ("mqtts://mqtt.example.com", "mqtt.example.com", 8883, True),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_an_address_says_where_and_whether_encrypted(url, host, port, encrypted):
    found = Broker.of(url, "")
    assert (found.host, found.port, found.encrypted) == (host, port, encrypted)
    assert (found.tls() is not None) == encrypted


@pytest.mark.parametrize(
    "url", ["", "mqtt.example.com", "http://a.example", "mqtt://", "mqtt://a:x", "mqtt://a/topic", "mqtt://a:99999"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(SmartBoilerError, match="mqtts://host:8883"):
        Broker.of(url, "")


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(SmartBoilerError) as error:
        Broker.of("mqtt://bridge:hunter2@a.example", "")
    assert "SMART_BOILER_MQTT_PASSWORD" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_user_and_password_come_from_the_environment_and_are_not_shown(monkeypatch):
    monkeypatch.setenv(USER, "bridge")
    monkeypatch.setenv(PASSWORD, "hunter2")
    found = Broker.of("mqtt://a.example", "")
    assert (found.user, found.password) == ("bridge", "hunter2")
    assert "hunter2" not in f"{found!r} {found} {found.address}"


def test_authorities_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(SmartBoilerError, match="SMART_BOILER_MQTT_CA"):
        Broker.of("mqtts://a.example", str(tmp_path / "none.pem")).tls()
