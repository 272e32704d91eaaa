//! Listening: sockets, TLS that reloads, and limits for whoever connects.
