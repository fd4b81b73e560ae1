"""What a tariff costs a product: its bill of materials under the law of scenarios."""

from tariffsim.product.bill import Chip, Product, read_products, typical_product
from tariffsim.product.pricing import Due, Priced, price

__all__ = ["Chip", "Due", "Priced", "Product", "price", "read_products", "typical_product"]
