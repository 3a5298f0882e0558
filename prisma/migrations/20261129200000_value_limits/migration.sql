-- What values the columns take: lengths in characters, finite money, instants whose day is one of the years 0001 to 9999 in every
-- time zone, time zones that mean what their names say. src/limits.ts says the same to the API, the import and the seed.
--
-- Rows that break a limit are listed, and nothing is changed. Each table is read once; readers and writers wait for so long.

-- In the order in which writers come by them, so that none is met in a deadlock.
LOCK TABLE bank_accounts, idempotency_keys, transactions, tenants, daily_totals, account_totals IN ACCESS EXCLUSIVE MODE;

DO $migration$
DECLARE
  max_money CONSTANT text := '999999999999999.9999';
  instants CONSTANT text := '%1$I >= ''0001-01-02 00:00:00+00'' AND %1$I < ''9999-12-31 00:00:00+00''';
  currency CONSTANT text := 'char_length(%1$I) BETWEEN 1 AND 3 AND %1$I ~ ''^[A-Z]{3}$''';
  money CONSTANT text := format('%%1$I BETWEEN -%s AND %s', max_money, max_money);
  name CONSTANT text := 'char_length(%1$I) BETWEEN 1 AND 200';
  shorten CONSTANT text := 'give them a text of that length, or none where the column may be null';
  mend CONSTANT text := 'give them the right value';
  limits CONSTANT jsonb := jsonb_agg(jsonb_build_object('table', l.t, 'key', l.k, 'constraint', concat_ws('_', l.t, l.c, 'check'),
                                                        'condition', format(l.condition, l.c), 'remedy', l.remedy) ORDER BY l.n)
    FROM (VALUES
      (1, 'tenants', 'id', 'slug', 'char_length(%1$I) BETWEEN 1 AND 100 AND %1$I ~ ''^[a-z0-9-]+$''', shorten),
      (2, 'tenants', 'id', 'name', name, shorten),
      (3, 'tenants', 'id', 'time_zone', '%1$I ~ ''^(UTC|[A-Z][A-Za-z]*(/[A-Z][A-Za-z]*([_-][A-Za-z]+)*)+)$'''
          -- An unknown zone makes the expression itself fail, with PostgreSQL's own words.
          ' AND (timestamptz ''2000-01-01 00:00:00+00'' AT TIME ZONE %1$I) IS NOT NULL',
       'give them UTC or a zone by area and location, such as Europe/Prague; the zone UTC+3 was three hours behind UTC'),
      (4, 'tenants', 'id', 'created_at', instants, mend),
      (5, 'bank_accounts', 'id', 'bank_name', name, shorten),
      (6, 'bank_accounts', 'id', 'account_number', 'char_length(%1$I) BETWEEN 1 AND 100', shorten),
      (7, 'bank_accounts', 'id', 'currency', currency, mend),
      (8, 'bank_accounts', 'id', 'balance', money, mend),
      (9, 'bank_accounts', 'id', 'created_at', instants, mend),
      (10, 'bank_accounts', 'id', 'updated_at', instants, mend),
      (11, 'transactions', 'id', 'external_id', name, shorten),
      (12, 'transactions', 'id', 'booked_at', instants, mend),
      (13, 'transactions', 'id', 'amount', '%1$I > 0 AND %1$I <= ' || max_money, mend),
      (14, 'transactions', 'id', 'currency', currency, mend),
      (15, 'transactions', 'id', 'balance_after', money, mend || ', or none'),
      -- The statistics write "without a category" as the empty text, so no category may be that.
      (16, 'transactions', 'id', 'category', name, shorten),
      (17, 'transactions', 'id', 'counterparty_bank', name, shorten),
      (18, 'transactions', 'id', 'description', 'char_length(%1$I) BETWEEN 1 AND 10000', shorten),
      (19, 'idempotency_keys', 'tenant_id', 'key', name, 'delete them'),
      (20, 'daily_totals', 'tenant_id', 'inflow', '%1$I <> ''NaN''', 'SELECT statistics_rebuild(<id>), once transactions are right'),
      (21, 'daily_totals', 'tenant_id', 'outflow', '%1$I <> ''NaN''', 'SELECT statistics_rebuild(<id>), once transactions are right'),
      (22, 'account_totals', 'tenant_id', 'balance', '%1$I <> ''NaN''', 'SELECT statistics_rebuild(<id>), once accounts are right')
    ) AS l (n, t, k, c, condition, remedy);
  of_table record;
  found record;
  broken text := '';
BEGIN
  FOR of_table IN
    SELECT l ->> 'table' AS name, string_agg(format('DROP CONSTRAINT IF EXISTS %1$I, ADD CONSTRAINT %1$I CHECK (%2$s)',
                                                    l ->> 'constraint', l ->> 'condition'), ', ') AS actions
      FROM jsonb_array_elements(limits) AS l GROUP BY 1
  LOOP
    EXECUTE format('ALTER TABLE %I %s', of_table.name, of_table.actions);
  END LOOP;
EXCEPTION
  WHEN check_violation THEN
    -- What was done is undone by now. The owner is held to the policies as well, and would see no rows; the error takes this back.
    FOR of_table IN SELECT DISTINCT l ->> 'table' AS name FROM jsonb_array_elements(limits) AS l LOOP
      EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', of_table.name);
    END LOOP;
    FOR of_table IN
      SELECT l ->> 'table' AS name, l ->> 'key' AS key, l ->> 'constraint' AS "constraint", l ->> 'condition' AS condition, l ->> 'remedy' AS remedy
        FROM jsonb_array_elements(limits) AS l
    LOOP
      EXECUTE format('SELECT count(*) AS rows, array_to_string((array_agg(DISTINCT key))[1:5], '', '') AS keys
                        FROM (SELECT %I::text AS key FROM %I WHERE NOT (%s)) AS broken',
                     of_table.key, of_table.name, of_table.condition) INTO found;
      IF found.rows > 0 THEN
        broken := broken || format(E'\n- %s, constraint %s: %s not %s. %s: %s%s. Remedy: %s.', of_table.name,
          of_table.constraint, CASE found.rows WHEN 1 THEN '1 row is' ELSE found.rows || ' rows are' END, of_table.condition, of_table.key, found.keys,
          CASE WHEN found.rows > 5 THEN ' and others' ELSE '' END, of_table.remedy);
      END IF;
    END LOOP;
    RAISE check_violation USING
      MESSAGE = 'rows of this database are beyond the limits that this migration sets; nothing was changed:' || broken,
      HINT = 'Mend the rows, then: npx prisma migrate resolve --rolled-back 20261129200000_value_limits, and deploy again.';
END $migration$;
