"""Where the MQTT broker is, and who we are there. Passwords come from the environment alone, and go into no log."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.settings import MQTT_CA, MQTT_URL

USER, PASSWORD = "SMART_BOILER_MQTT_USER", "SMART_BOILER_MQTT_PASSWORD"
"""Environment variables."""

PORTS = {"mqtt": 1883, "mqtts": 8883}
"""By scheme; "mqtts" is encrypted."""


@dataclass(frozen=True)
class Broker:
    """A broker.

    Parameters
    ----------
    host, port
        Where it listens.
    encrypted
        Whether by TLS: then its certificate is checked.
    ca
        File with the authorities that may vouch for it; empty means those of the system.
    user, password
        Who we are there; None means nobody.

    """

    host: str
    port: int
    encrypted: bool = False
    ca: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str | None = None, ca: str | None = None) -> Broker:
        """Return the broker of an address, by default that of the settings, with who we are from the environment.

        Raises
        ------
        SmartBoilerError
            If it is no address of a broker, or names a password.

        """
        given = MQTT_URL.value if url is None else url
        try:
            parts = urlsplit(given)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or parts.scheme not in PORTS or parts.path.strip("/") or parts.query:
            told = "Must be mqtt://host, mqtt://host:1883, or mqtts://host:8883, which is encrypted."
            raise SmartBoilerError({MQTT_URL.name: [told]})
        if parts.username or parts.password:
            told = f"Names a user or a password: put them into the environment, as {USER} and {PASSWORD}."
            raise SmartBoilerError({MQTT_URL.name: [told]})
        authorities = MQTT_CA.value if ca is None else ca
        encrypted = parts.scheme == "mqtts"
        user, password = (os.environ.get(name) or None for name in (USER, PASSWORD))
        return cls(host, port or PORTS[parts.scheme], encrypted, authorities, user, password)

    @property
    def address(self) -> str:
        """Address, for people."""
        return f"{'mqtts' if self.encrypted else 'mqtt'}://{self.host}:{self.port}"

    def tls(self) -> ssl.SSLContext | None:
        """Return how it is encrypted; None where it is not.

        Raises
        ------
        SmartBoilerError
            If there is no such file with authorities.

        """
        if not self.encrypted:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca or None)
        except (OSError, ssl.SSLError) as error:
            raise SmartBoilerError({MQTT_CA.name: [f"No authorities can be read from {self.ca}: {error}"]}) from error
