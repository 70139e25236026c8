export * from './recipe-nodes.ts';
