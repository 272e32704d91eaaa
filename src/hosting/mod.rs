//! What a trust server does with repositories: serve, accept, renew, hold online keys.
