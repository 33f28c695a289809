"""A Flask application in a stack, beside views of wsgikit."""

import os

from flask import Flask, url_for

from wsgikit import Request, Router, serve, stack
from wsgikit.middleware import errors

shop = Flask(__name__)


@shop.get("/")
def items() -> str:
    return f'<a href="{url_for("item", number=3)}">Item 3</a>'


@shop.get("/items/<int:number>")
def item(number: int) -> dict[str, int]:
    return {"item": number}


router = Router()
router.mount("/shop", shop)


@router.get("/shop/health")
def health(request: Request) -> str:
    return "well"


app = stack(errors(), router)

if __name__ == "__main__":
    serve(app, port=int(os.environ.get("PORT", "8000")))
