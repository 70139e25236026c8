const CLUSTER_BITS = 16;
const CLUSTER_BYTES = 2 ** CLUSTER_BITS;
const REFCOUNT_ORDER = 4;
const HEADER_BYTES = 104;
/** One L2 table has as many entries as fit a cluster, each for a cluster of the disk. */
const BYTES_PER_L1_ENTRY = CLUSTER_BYTES * (CLUSTER_BYTES / 8);

/** A valid qcow2 file (version 3, by QEMU's docs/interop/qcow2.txt) of an empty disk. */
export function emptyQcow2(virtualSizeBytes: number): Buffer {
  const l1Entries = Math.ceil(virtualSizeBytes / BYTES_PER_L1_ENTRY);
  const l1Clusters = Math.ceil((l1Entries * 8) / CLUSTER_BYTES);
  const [refcountTable, refcountBlock, l1Table] = [1, 2, 3];
  const clusters = l1Table + l1Clusters;
  const file = Buffer.alloc(clusters * CLUSTER_BYTES);
  file.write('QFI\u00fb', 0, 'latin1');
  file.writeUInt32BE(3, 4);
  file.writeUInt32BE(CLUSTER_BITS, 20);
  file.writeBigUInt64BE(BigInt(virtualSizeBytes), 24);
  file.writeUInt32BE(l1Entries, 36);
  file.writeBigUInt64BE(BigInt(l1Table * CLUSTER_BYTES), 40);
  file.writeBigUInt64BE(BigInt(refcountTable * CLUSTER_BYTES), 48);
  file.writeUInt32BE(1, 56);
  file.writeUInt32BE(REFCOUNT_ORDER, 96);
  file.writeUInt32BE(HEADER_BYTES, 100);
  file.writeBigUInt64BE(BigInt(refcountBlock * CLUSTER_BYTES), refcountTable * CLUSTER_BYTES);
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    file.writeUInt16BE(1, refcountBlock * CLUSTER_BYTES + cluster * 2);
  }
  return file;
}
