-- Received files have lanes of their own, 65 to 128: whoever reads them is not kept by anything else.
INSERT INTO lane (id, leased_until, fence) SELECT n, 0, 0 FROM generate_series(65, 128) AS n;
UPDATE work SET lane = lane + 65 WHERE step = 'read';
