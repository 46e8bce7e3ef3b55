"""A process in place of `leco.bulk.process`, without a model: it answers, but ends at parts that are called deadly."""

import os
import pickle
import sys

from leco.bulk.job import Outcome, Record


def main():
    out = sys.stdout.buffer
    pickle.load(sys.stdin.buffer)
    pickle.dump(0, out)
    out.flush()
    while True:
        part = pickle.load(sys.stdin.buffer)
        pickle.dump(7, out)
        out.flush()
        if "deadly" in part.name:
            os._exit(1)
        pickle.dump(Outcome(part, Record(part.mark, 30, 0, 0)), out)
        out.flush()


if __name__ == "__main__":
    main()
