import { expect, it } from 'vitest';
import type { HypervisorErrorCode } from '../hypervisor.errors.ts';
import type { HostRef } from '../port/hosts.ts';
import { classify } from './virsh-errors.ts';

const host: HostRef = {
  id: 1,
  name: 'kvm1',
  uri: 'qemu:///system',
  domainType: 'qemu',
  imagePool: 'images',
  diskPool: 'disks',
  bridge: 'br0',
};

/** What virsh 9.0 said when each of these was provoked on a real host. */
const SAID: [HypervisorErrorCode, string][] = [
  [
    'host_unreachable',
    "failed to connect to the hypervisor\nerror: Failed to connect socket to '/x': No such file",
  ],
  [
    'host_unreachable',
    'failed to connect to the hypervisor\nerror: Cannot recv data: ssh: connect to host 127.0.0.1 port 9: Connection refused: Connection reset by peer',
  ],
  [
    'host_misconfigured',
    'failed to connect to the hypervisor\nerror: Cannot recv data: Host key verification failed.: Connection reset by peer',
  ],
  [
    'host_misconfigured',
    "failed to get pool 'zz'\nerror: Storage pool not found: no storage pool with matching name 'zz'",
  ],
  [
    'host_misconfigured',
    "Failed to start domain 'a'\nerror: Cannot get interface MTU on 'br9': No such device",
  ],
  [
    'domain_exists_foreign',
    "Failed to define domain from /dev/stdin\nerror: operation failed: domain 'a' already exists with uuid 93318acd-138b-46dd-af4e-1718f6c7ba51",
  ],
  ['domain_missing', "failed to get domain 'nonesuch'"],
  [
    'domain_not_running',
    "Failed to reset domain 'a'\nerror: Requested operation is not valid: domain is not running",
  ],
  ['agent_not_answering', 'Guest agent is not responding: QEMU guest agent is not connected'],
  [
    'agent_refused',
    "internal error: unable to execute QEMU agent command 'guest-set-user-password': child process has failed to set user password",
  ],
  ['pool_full', "Failed to create vol a\nerror: cannot fill file '/pool/a': No space left on device"],
  [
    'volume_missing',
    "failed to get vol 'a'\nerror: Storage volume not found: no storage vol with matching name 'a'",
  ],
  ['host_refused', 'something new'],
];

it.each(SAID)('reads %s', (code, said) => {
  const error = classify(host, `error: ${said}\n`, 'start');
  expect(error.code).toBe(code);
  expect(error.message).not.toContain(said);
  expect(error.details).toMatchObject({ host: 'kvm1', command: 'start' });
});
