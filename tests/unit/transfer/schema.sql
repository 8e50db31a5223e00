CREATE TABLE "order details" (
    id INTEGER PRIMARY KEY, "class" TEXT NOT NULL, "Unit Price" DECIMAL(10,2) DEFAULT 1.5, "2nd" INT, geom GEOMETRY, dt DATE,
    date DATE DEFAULT CURRENT_DATE, "str" TEXT DEFAULT 'it''s', flag BOOLEAN NOT NULL DEFAULT 0, big UNSIGNED BIG INT,
    total NUMERIC GENERATED ALWAYS AS (id * 2) VIRTUAL, a__b TEXT, query TEXT, "save" TEXT, note JSON, uid UUID UNIQUE,
    r DOUBLE PRECISION DEFAULT 2, price MONEY DEFAULT (0.5), at TIMESTAMP WITH TIME ZONE,
    memo VARCHAR(10) DEFAULT 'a very long default indeed', nasty TEXT DEFAULT 'a"b\c'
);
CREATE TABLE Model (
    code CHAR(3) PRIMARY KEY NOT NULL, "ID" TEXT, parent CHAR(3) REFERENCES Model(code) ON DELETE CASCADE, UNIQUE ("ID", parent)
);
CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE matches (
    home_id INTEGER NOT NULL REFERENCES teams, away_id INTEGER NOT NULL REFERENCES teams, day DATE NOT NULL,
    referee INTEGER REFERENCES people(id) ON DELETE SET NULL, PRIMARY KEY (home_id, away_id, day)
);
CREATE TABLE people (
    id INTEGER PRIMARY KEY, boss_id INTEGER REFERENCES people ON DELETE SET NULL, team INTEGER REFERENCES teams(id),
    reports_to INTEGER REFERENCES people(id), artist INTEGER REFERENCES artist(id)
);
CREATE TABLE artist (id INT PRIMARY KEY NOT NULL, favourite INTEGER REFERENCES people(id));
CREATE TABLE profile (person_id INTEGER PRIMARY KEY REFERENCES people(id) ON DELETE CASCADE, bio TEXT);
CREATE TABLE badge (person_id INTEGER NOT NULL UNIQUE REFERENCES people(id), no INTEGER PRIMARY KEY);
CREATE TABLE nokey (a TEXT, b INTEGER);
CREATE TABLE lines (a INTEGER, b INTEGER, c INTEGER, PRIMARY KEY (a, b), FOREIGN KEY (b, c) REFERENCES lines(a, b));
CREATE TABLE ghost (id INTEGER PRIMARY KEY, x INTEGER REFERENCES missing(id));
CREATE TABLE likes (
    person_id INTEGER REFERENCES people, artist_id INTEGER REFERENCES artist, PRIMARY KEY (person_id, artist_id)
) WITHOUT ROWID;
CREATE VIEW v AS SELECT * FROM teams;
CREATE TABLE "Teams2" (id INTEGER PRIMARY KEY);
CREATE TABLE "teams_2" (id INTEGER PRIMARY KEY);
CREATE INDEX ix1 ON people(team);
CREATE INDEX ix2 ON "order details"(dt, flag);
CREATE INDEX ix3 ON "order details"(lower("class"));
CREATE INDEX ix4 ON "order details"(big) WHERE big > 3;
CREATE INDEX ix5 ON "order details"("2nd");
CREATE TABLE customer (
    customer_id TEXT PRIMARY KEY,
    a_very_long_column_name_that_takes_a_lot_of_room_in_the_source_line TEXT NOT NULL DEFAULT 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    photo BLOB, floaty FLOAT NOT NULL, UNIQUE (a_very_long_column_name_that_takes_a_lot_of_room_in_the_source_line, floaty)
);
