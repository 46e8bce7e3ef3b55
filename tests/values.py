"""Any JSON value, and some that are none, for what must be answered or refused."""

from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "tau", "input_ids"]), inner),
    max_leaves=6,
)
