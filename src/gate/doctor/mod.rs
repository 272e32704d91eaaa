//! What on a host is not enforced.
