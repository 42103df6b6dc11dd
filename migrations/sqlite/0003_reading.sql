-- Received files have lanes of their own, 65 to 128: whoever reads them is not kept by anything else.
INSERT INTO lane (id, leased_until, fence)
    WITH RECURSIVE more (n) AS (SELECT 65 UNION ALL SELECT n + 1 FROM more WHERE n < 128) SELECT n, 0, 0 FROM more;
UPDATE work SET lane = lane + 65 WHERE step = 'read';
