export { dialLibvirt } from './dial-libvirt.ts';
export { PROCEDURE, RpcConnection, RpcRefusal } from './rpc-connection.ts';
export { XdrReader, XdrWriter } from './xdr.ts';
