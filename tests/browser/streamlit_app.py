"""A Streamlit app: what its page shows, and what a click changes, comes over a WebSocket."""

import streamlit as st  # type: ignore[import-not-found,unused-ignore]  # `make apps` installs it

st.title("Counting")
if st.button("Count"):
    st.session_state["count"] = st.session_state.get("count", 0) + 1
st.write(f"Counted to {st.session_state.get('count', 0)}")
