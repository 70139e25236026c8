export { withoutInherited } from './descriptors.ts';
export { ownCode, ownProgram, type Visible } from './own-code.ts';
