export * from './label-selector.ts';
export * from './list-query.ts';
export * from './listing.errors.ts';
export * from './page-query.ts';
