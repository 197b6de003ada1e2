"""docs/api.md is what the routes say."""

from scripts import docs
from smart_boiler_plugin.api.routes import ROUTES, show_openapi


def test_the_page_of_the_api_is_up_to_date():
    assert (docs.ROOT / "docs/api.md").read_text() == docs.api_page(show_openapi()), "make docs"


def test_it_has_all_calls_and_fields():
    page = docs.api_page(show_openapi())
    for route in ROUTES:
        if route.documented:
            path = "/" + "/".join(
                "{" + word[1:-1].partition(":")[2] + "}" if word.startswith("<") else word
                for word in route.path.split("/")[1:]
            )
            assert f"## {route.method} {path}\n" in page
    assert "| `user_email` |" in page.partition("## NewCustomer")[2].partition("\n## ")[0]
