import type { HealthCheckWire } from '#libs/contracts';

export function nameOfCheck(check: HealthCheckWire): string {
  if (check.type === 'tcp') return `TCP port ${check.port} is open`;
  return `HTTP port ${check.port} answers ${check.path} with ${check.status}`;
}
