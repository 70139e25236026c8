export {
  confirmWithBank,
  connectPayments,
  type HarnessOptions,
  type Move,
  type PaymentsHarness,
  startPayments,
  submit,
} from './payments-harness.ts';
export { type RecordedCall, startRecordingProxy } from './recording-proxy.ts';
