import type { AuditRepository } from './audit.repository.ts';
import type { AuditLog } from './audit-log.ts';

declare module '../context/services.ts' {
  interface Services {
    /** Who did what. */
    readonly audit: AuditLog;
    readonly auditLines: AuditRepository;
  }
}
