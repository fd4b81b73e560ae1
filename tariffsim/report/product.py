"""Priced products as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from tariffsim import __version__
from tariffsim.product.pricing import Priced
from tariffsim.product.words import audit_of, findings, remarks


def product_page(found: Sequence[Sequence[Priced]]) -> str:
    """The page of some products, each under every scenario, the baseline first."""
    environment = Environment(
        loader=PackageLoader("tariffsim.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    products = [
        {
            "product": own[0].product, "month": own[0].month, "rows": own,
            "findings": list(findings(own)), "remarks": list(remarks(own)),
            "audit": list(audit_of(own)),
        }
        for own in found
    ]  # fmt: skip
    return environment.get_template("product.html.j2").render(
        products=products, version=__version__
    )
