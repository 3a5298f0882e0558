-- A hash finds a number over all tenants and cannot be read in order. The B-tree was chosen for a tenant's pages by
-- number: in the order of all tenants' numbers, passing over the rows of the others.
-- DropIndex
DROP INDEX "bank_accounts_number_idx";

-- CreateIndex
CREATE INDEX "bank_accounts_number_idx" ON "bank_accounts" USING HASH ("account_number");

-- Of a tenant with few accounts that are not active, a page of them read nearly all its accounts.
-- CreateIndex
CREATE INDEX "bank_accounts_tenant_inactive_created_idx" ON "bank_accounts"("tenant_id", "created_at", "id") WHERE (status <> 'ACTIVE'::account_status);
