-- Schema version 5: the bytes of small contents are compressed, by LZ4, those that came before stay as they are.
-- 1: `bytes` is an LZ4 block that comes to `size` bytes.
ALTER TABLE content ADD COLUMN compressed BIGINT NOT NULL DEFAULT 0;
