-- A CHECK against a list of three words and more fills a table of its own for each row that is written, which
-- takes as long as the row. The same rules as comparisons; nothing but their text changes.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (kind IN (''transactions'', ''visitors'', ''served''))',
    'CHECK (kind = ''transactions'' OR kind = ''visitors'' OR kind = ''served'')')
WHERE type = 'table' AND name = 'counts';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (source IN (''till'', ''counter'', ''sensor'', ''manual''))',
    'CHECK (source = ''till'' OR source = ''counter'' OR source = ''sensor'' OR source = ''manual'')')
WHERE type = 'table' AND name = 'counts';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (kind IN (''link'', ''still'', ''clip''))',
    'CHECK (kind = ''link'' OR kind = ''still'' OR kind = ''clip'')')
WHERE type = 'table' AND name = 'jobs';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (state IN (''waiting'', ''running'', ''done'', ''failed''))',
    'CHECK (state = ''waiting'' OR state = ''running'' OR state = ''done'' OR state = ''failed'')')
WHERE type = 'table' AND name = 'jobs';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (origin IN (''random'', ''targeted'', ''imported'', ''gold'', ''calibration''))',
    'CHECK (origin = ''random'' OR origin = ''targeted'' OR origin = ''imported'' OR origin = ''gold'' OR origin = ''calibration'')')
WHERE type = 'table' AND name = 'review_items';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (state IN (''open'', ''decided'', ''withdrawn''))',
    'CHECK (state = ''open'' OR state = ''decided'' OR state = ''withdrawn'')')
WHERE type = 'table' AND name = 'review_items';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (verdict IN (''valid'', ''invalid'', ''undeterminable'', ''undone''))',
    'CHECK (verdict = ''valid'' OR verdict = ''invalid'' OR verdict = ''undeterminable'' OR verdict = ''undone'')')
WHERE type = 'table' AND name = 'verdicts';
-- Makes every connection read the schema anew.
CREATE TABLE reread (id INTEGER) STRICT;
DROP TABLE reread;
PRAGMA writable_schema = RESET;
