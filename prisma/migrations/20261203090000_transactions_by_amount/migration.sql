-- The order of transactions by amount. On a large table make it before this migration, without stopping writes:
-- npm run indexes:create does, CONCURRENTLY.
-- CreateIndex
CREATE INDEX IF NOT EXISTS "transactions_tenant_amount_idx" ON "transactions"("tenant_id", "amount", "id");

SELECT settle_ownership();
