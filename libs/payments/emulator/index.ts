export { type Emulator, type EmulatorOptions, startEmulator } from './emulator.ts';
export type { FaultPlan } from './faults.ts';
export type { Ledger, LedgerIntent, LedgerInvoice, LedgerLine } from './ledger.ts';
export { signatureOf } from './webhooks.ts';
