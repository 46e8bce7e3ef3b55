"""The simplest endpoint: a model behind FastAPI, a request at a time. What a service is compared with.

python -m benchmarks.common.plain_endpoint DIR PORT
"""

import sys

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from leco import Static, load


class Body(BaseModel):
    """Of a request."""

    texts: list[str]


def main():
    torch.set_num_threads(1)
    model, app = load(sys.argv[1], device="cpu"), FastAPI()

    @app.post("/predict")
    def predict(body: Body):
        return [answer.label for answer in model.predict(body.texts, criterion=Static())]

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")


if __name__ == "__main__":
    main()
