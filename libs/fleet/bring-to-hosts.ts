import type { DataSource } from 'typeorm';
import type { Hypervisor, ImageFile } from '#libs/hypervisor';
import { HostsService, toHostRef } from '#libs/placement';

/** Of all bytes that go to this host. */
export type OnUpload = (hostName: string, sentBytes: number, totalBytes: number) => void;

export interface Brought {
  /** Hosts that have it since now. */
  readonly newOn: readonly string[];
  /** Hosts that did not take it, and why; the others have it. */
  readonly failures: readonly { readonly host: string; readonly message: string }[];
}

/**
 * Brings a file to the image pool of every host. A host that has it is left alone, so this may be repeated after a failure
 * or when a host was added. `record` remembers that a host has it, and says whether that is new.
 */
export async function bringToHosts(
  dataSource: DataSource,
  hypervisor: Hypervisor,
  file: ImageFile,
  record: (hostId: number) => Promise<boolean>,
  onUpload?: OnUpload,
): Promise<Brought> {
  const newOn: string[] = [];
  const failures: { host: string; message: string }[] = [];
  for (const host of await new HostsService(dataSource).existing()) {
    try {
      await hypervisor.importImage(toHostRef(host), file, (sent, total) =>
        onUpload?.(host.name, sent, total),
      );
      if (await record(host.id)) newOn.push(host.name);
    } catch (error) {
      failures.push({ host: host.name, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { newOn, failures };
}
