export * from './payments.errors.ts';
export * from './port.ts';
