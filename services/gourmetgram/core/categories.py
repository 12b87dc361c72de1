"""The eleven classes of Food-11, in the order of its class numbers 0 to 10."""

from typing import Literal, get_args

Category = Literal[
    "Bread", "Dairy", "Dessert", "Egg", "Fried", "Meat", "Noodles", "Rice", "Seafood", "Soup", "Veggie"
]  # fmt: skip

CATEGORIES: tuple[Category, ...] = get_args(Category)
