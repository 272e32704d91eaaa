-- The tables of a trust server. BYTES and NAME stand for what each database calls them:
-- a row of bytes, and text compared byte by byte. Times are microseconds since 1970, UTC.

-- A repository, also one that was deleted: its revision never goes back.
CREATE TABLE repositories (
    gun      NAME   NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);

-- The newest file of each role. `whole` is the version of the last whole copy, `room`
-- how many bytes of differences may still refer to it.
CREATE TABLE heads (
    gun     NAME   NOT NULL,
    role    NAME   NOT NULL,
    version BIGINT NOT NULL,
    whole   BIGINT NOT NULL,
    room    BIGINT NOT NULL,
    PRIMARY KEY (gun, role)
);

-- Every version of every file. `base` is the version to which a difference refers, null for a
-- whole copy. The data stand last, so that the rest is read without them.
CREATE TABLE files (
    gun     NAME   NOT NULL,
    role    NAME   NOT NULL,
    version BIGINT NOT NULL,
    sha256  BYTES  NOT NULL,
    size    BIGINT NOT NULL,
    created BIGINT NOT NULL,
    base    BIGINT,
    data    BYTES  NOT NULL,
    PRIMARY KEY (gun, role, version)
);
CREATE INDEX files_by_hash ON files (gun, sha256);
CREATE INDEX files_by_time ON files (gun, created);

-- One row for each new timestamp and each deletion. Numbers come from a counter, not from the
-- database's own sequence: those are handed out before the commit, and who follows the feed
-- would miss a lower number that is committed after a higher one.
CREATE TABLE changes (
    id       BIGINT NOT NULL PRIMARY KEY,
    created  BIGINT NOT NULL,
    gun      NAME   NOT NULL,
    version  BIGINT NOT NULL,
    sha256   NAME   NOT NULL,
    category NAME   NOT NULL
);
CREATE INDEX changes_by_gun ON changes (gun, id);

-- `changes`: the last number given. `seal`: which seal is on all keys, another number each time.
CREATE TABLE counters (
    name  NAME   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('changes', 0), ('seal', 0);

-- Online keys, the private part sealed. `used` is null until a key first signs.
CREATE TABLE keys (
    id        NAME   NOT NULL PRIMARY KEY,
    gun       NAME   NOT NULL,
    role      NAME   NOT NULL,
    algorithm NAME   NOT NULL,
    public    BYTES  NOT NULL,
    sealed    BYTES  NOT NULL,
    created   BIGINT NOT NULL,
    used      BIGINT
);
CREATE INDEX keys_by_role ON keys (gun, role);
CREATE UNIQUE INDEX keys_pending ON keys (gun, role, algorithm) WHERE used IS NULL;

-- How all online keys are sealed: one row, since a server first started. A key is made of a
-- passphrase or a key file and the salt, by `method`; the cost is 0 where that is no question.
-- `proof` opens with that key only.
CREATE TABLE seal (
    one    BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    method NAME   NOT NULL,
    salt   BYTES  NOT NULL,
    memory BIGINT NOT NULL,
    passes BIGINT NOT NULL,
    lanes  BIGINT NOT NULL,
    proof  BYTES  NOT NULL
);

-- People and machines that log in with a password, and what each may do below which prefix.
CREATE TABLE users (
    name    NAME   NOT NULL PRIMARY KEY,
    hash    NAME   NOT NULL,
    created BIGINT NOT NULL
);
CREATE TABLE rights (
    name    NAME NOT NULL,
    prefix  NAME NOT NULL,
    actions NAME NOT NULL,
    PRIMARY KEY (name, prefix)
);
