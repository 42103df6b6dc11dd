-- Divides Supercargo's large tables by ranges of their numbers, which rise with time (docs/operations.md, Partitions).
--
--   psql "$DATABASE_URL" -1 -f partition.sql -c "SELECT divide('document', 5000000)"
--   psql "$DATABASE_URL" -c "SELECT add_partition('document', 5000000)"

-- An index as a statement that makes the like of it on another table.
CREATE OR REPLACE FUNCTION index_on(existing regclass, other regclass) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(
        pg_get_indexdef(existing), '^CREATE (UNIQUE )?INDEX .* ON (ONLY )?[^ ]+ USING', 'CREATE \1INDEX ON ' || other || ' USING')
$$;

-- A partition for the `width` numbers from `start` on; without them, for those that have no other. A second unique key holds
-- within each partition, and so this one gets those of `example`.
CREATE OR REPLACE FUNCTION make_partition(large text, example regclass, start bigint, width bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    made text := large || coalesce('_from_' || start, '_rest');
    unique_key regclass;
BEGIN
    IF start IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', made, large);
    ELSE
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)', made, large, start, start + width);
    END IF;
    FOR unique_key IN SELECT indexrelid FROM pg_index WHERE indrelid = example AND indisunique AND NOT indisprimary LOOP
        EXECUTE index_on(unique_key, made::regclass);
    END LOOP;
    RETURN made;
END $$;

-- Divides a table: what it holds becomes the first partition, without being copied, and the next `width` numbers get the
-- second. What would lie beyond them goes into a last one, so that nothing is ever refused.
CREATE OR REPLACE FUNCTION divide(large text, width bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    key text := (SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = large::regclass AND indisprimary);
    primary_key text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = large::regclass AND contype = 'p');
    first text := large || '_first';
    start bigint;
    foreign_keys text[];
    drops text[];
    statement text;
    existing regclass;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = large::regclass) = 'p' THEN
        RAISE EXCEPTION '% is divided already; what is to come gets its next partition by SELECT add_partition(''%'', %)', large, large, width;
    END IF;
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', large);
    EXECUTE format('SELECT (coalesce(max(%I), 0) / %s + 1) * %s FROM %I', key, width, width, large) INTO start;
    -- Foreign keys from it and to it are made again once it is divided.
    SELECT array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))),
        array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname))
        INTO foreign_keys, drops
        FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND large::regclass IN (conrelid, confrelid);
    FOREACH statement IN ARRAY coalesce(drops, '{}') LOOP EXECUTE statement; END LOOP;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', large, first);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (%I)', large, first, key);
    EXECUTE format('ALTER TABLE %I ADD %s', large, primary_key);
    FOR existing IN SELECT indexrelid FROM pg_index WHERE indrelid = first::regclass AND NOT indisunique LOOP
        EXECUTE index_on(existing, large::regclass);
    END LOOP;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%s)', large, first, start);
    PERFORM make_partition(large, first::regclass, start, width);
    PERFORM make_partition(large, first::regclass, NULL, NULL);
    FOREACH statement IN ARRAY coalesce(foreign_keys, '{}') LOOP EXECUTE statement; END LOOP;
    RETURN format('%s: %s below %s, %s_from_%s for the next %s numbers', large, first, start, large, start, width);
END $$;

-- The partition of the next `width` numbers behind all that there are. To be made before the last one is full: PostgreSQL
-- refuses a partition for numbers that lie in the one for the rest already.
CREATE OR REPLACE FUNCTION add_partition(large text, width bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    beyond bigint := (SELECT max((regexp_match(pg_get_expr(relpartbound, oid), 'TO \(''?(\d+)''?\)'))[1]::bigint)
        FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE inhparent = large::regclass);
BEGIN
    RETURN make_partition(large, (large || '_first')::regclass, beyond, width);
END $$;
