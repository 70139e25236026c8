import { composeUserData, type SeedSpec, type YamlDocument } from '#libs/hypervisor';
import type { Address } from '#libs/networks';
import { type Rescue, rescueSeedName, type Server, seedVolumeName } from '#libs/servers';
import { newMachineBoot } from './new-machine-boot.ts';

/** What a system without cloud-init, into which our own first boot was put, reads of the seed. */
export function plainSeedFiles(
  server: Server,
  { mac, ip, prefixLength, gateway }: Address,
  { hostKey, passwordHash = '' }: SeedSecrets,
): Readonly<Record<string, string>> {
  const network = { mac, address: `${ip}/${prefixLength}`, gateway, hostname: server.name };
  const lines = (of: readonly string[]) => of.map((line) => `${line}\n`).join('');
  return {
    network: lines(Object.entries(network).map(([key, value]) => `${key}=${value}`)),
    ssh_host_ed25519_key: hostKey,
    'ssh_host_ed25519_key.pub': lines([server.hostKey ?? '']),
    authorized_keys: lines(server.sshPublicKeys),
    password: passwordHash,
  };
}

/** The secret half of a seed: what is in it is destroyed on our side and on the host once the guest has it. */
export interface SeedSecrets {
  /** OpenSSH private key of the host key. */
  readonly hostKey: string;
  /** crypt(3) hash of the root password, where there is one. */
  readonly passwordHash?: string;
  /** The owner's own user data. */
  readonly userData?: string;
  /** What the application is to let its owner in by: names and values. */
  readonly application?: Readonly<Record<string, string>>;
}

/** What is at the bottom of a server's disk: a golden image, or a disk that another server (or it) has run on. */
export type DiskOrigin = 'golden' | 'used';

/**
 * What cloud-init reads at first boot. An owner's user data goes over our defaults and below what makes the server
 * theirs to reach: their keys, their password, and the host key by which it is known.
 */
export function seedSpecOf(
  server: Server,
  address: Address,
  secrets: SeedSecrets,
  origin: DiskOrigin,
): SeedSpec {
  const defaults = { hostname: server.name, preserve_hostname: false, disable_root: false };
  const identity = identityOf(secrets, server);
  const login = loginOf(secrets);
  const application = applicationOf(secrets);
  const { userData } = secrets;
  const isClone = server.generation === 1 && server.cloneKind === 'safe';
  const renewed =
    isClone || origin === 'used' ? newMachineBoot({ holdsTimers: isClone && server.holdsTimers }) : {};
  return {
    volumeName: seedVolumeName(server),
    metaData: {
      'instance-id': `servery-${server.id}-${server.generation}`,
      'local-hostname': server.name,
      // Here and not in `users`, where an owner's entry for root and ours would shut each other out.
      'public-keys': server.sshPublicKeys,
    },
    networkConfig: networkConfig(address),
    ...(userData === undefined
      ? { userData: { ...defaults, ...identity, ...login, ...application, ...renewed } }
      : {
          userData: composeUserData(userData, [
            { config: identity, merge: 'replace' },
            { config: login, merge: 'append' },
            { config: application, merge: 'append' },
            { config: renewed, merge: 'append' },
          ]),
          vendorData: defaults,
        }),
  };
}

/** What a rescue system reads at its first boot: who may log in, the host key that it is known by, and the server's address. */
export function rescueSeedOf(rescue: Rescue, address: Address, secrets: SeedSecrets): SeedSpec {
  const hostname = 'rescue';
  return {
    volumeName: rescueSeedName(rescue),
    metaData: {
      'instance-id': `servery-rescue-${rescue.id}`,
      'local-hostname': hostname,
      'public-keys': rescue.sshPublicKeys,
    },
    networkConfig: networkConfig(address),
    userData: { hostname, disable_root: false, ...identityOf(secrets, rescue), ...loginOf(secrets) },
  };
}

function identityOf({ hostKey }: SeedSecrets, known: Pick<Server, 'hostKey'>): YamlDocument {
  return { ssh_deletekeys: true, ssh_keys: { ed25519_private: hostKey, ed25519_public: known.hostKey } };
}

/**
 * Root's password, behind whichever users the owner asks for. No `ssh_pwauth`, which restarts sshd late in the boot:
 * images let root in by password, locked until one is set.
 */
function loginOf({ passwordHash }: SeedSecrets): YamlDocument {
  if (passwordHash === undefined) return {};
  // A hash in `chpasswd` would be set late in the boot: after the guest is ready, and over a reset made by then.
  return { users: [{ name: 'root', lock_passwd: false, hashed_passwd: passwordHash }] };
}

/** Files that the application takes its secrets from at first boot, and then removes. */
function applicationOf({ application }: SeedSecrets): YamlDocument {
  if (application === undefined) return {};
  const fileOf = ([name, content]: [string, string]) => ({
    path: `/etc/servery/secrets/${name}`,
    permissions: '0600',
    content,
  });
  return { write_files: Object.entries(application).map(fileOf) };
}

/** cloud-init network configuration, version 2: one card, found by its MAC address, with a fixed address. */
function networkConfig(address: Address): YamlDocument {
  return {
    version: 2,
    ethernets: {
      eth0: {
        match: { macaddress: address.mac },
        'set-name': 'eth0',
        addresses: [`${address.ip}/${address.prefixLength}`],
        // Not `default`: Debian 12's cloud-init takes a network here and nothing else.
        routes: [{ to: '0.0.0.0/0', via: address.gateway }],
        dhcp4: false,
      },
    },
  };
}
