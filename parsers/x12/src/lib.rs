//! X12: bytes to segments and back.
