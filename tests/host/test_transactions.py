"""Something done with many at once, and by halves where that fails: who is to blame stops no other."""

import pytest
from flexmeasures import Source
from flexmeasures.data import db
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import OperationalError

from smart_boiler_plugin.transactions import by_halves


def names():
    return sorted(name for (name,) in db.session.query(Source.name))


@pytest.fixture
def make(app):
    """A function that stores a source of each name, and fails with what is given for one of them."""

    def function(failing):
        def do(some):
            for name in some:
                db.session.add(Source(name=name, type="meter"))
                db.session.flush()
                if name in failing:
                    raise failing[name]
            return len(some)

        return do

    with app.app_context():
        yield function


def test_all_are_done_at_once_where_nothing_fails(make):
    assert list(by_halves(["a", "b", "c"], make({}))) == [(["a", "b", "c"], 3)]
    assert names() == ["a", "b", "c"]


def test_who_is_to_blame_is_told_and_nothing_of_it_is_stored(make):
    bug = RuntimeError("a bug")
    assert list(by_halves(["a", "b", "c", "d"], make({"c": bug}))) == [(["a", "b"], 2), (["c"], bug), (["d"], 1)]
    assert names() == ["a", "b", "d"]


@pytest.mark.parametrize(
    "error", [OperationalError("SELECT", {}, Exception("gone")), JobTimeoutException("over")], ids=["away", "time"]
)
def test_what_is_nobodys_fault_is_raised(make, error):
    with pytest.raises(type(error)):
        list(by_halves(["a", "b"], make({"a": error})))
