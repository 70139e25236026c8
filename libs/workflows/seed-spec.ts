import type { SeedSpec, YamlDocument } from '#libs/hypervisor';
import type { Address } from '#libs/networks';
import { type Server, seedVolumeName } from '#libs/servers';

/** The secret half of a seed: what is in it is destroyed on our side and on the host once the guest has it. */
export interface SeedSecrets {
  /** OpenSSH private key of the host key. */
  readonly hostKey: string;
  /** crypt(3) hash of the root password, where there is one. */
  readonly passwordHash?: string;
  /** The owner's own user data. */
  readonly userData?: string;
}

/** What cloud-init reads at first boot. The owner's user data comes on top of our part (vendor data). */
export function seedSpecOf(server: Server, address: Address, secrets: SeedSecrets): SeedSpec {
  const ours = vendorData(server, secrets);
  return {
    volumeName: seedVolumeName(server),
    metaData: {
      'instance-id': `servery-${server.id}-${server.generation}`,
      'local-hostname': server.name,
    },
    networkConfig: networkConfig(address),
    ...(secrets.userData === undefined
      ? { userData: ours }
      : { userData: secrets.userData, vendorData: ours }),
  };
}

function vendorData(server: Server, secrets: SeedSecrets): YamlDocument {
  const { hostKey, passwordHash } = secrets;
  return {
    hostname: server.name,
    preserve_hostname: false,
    disable_root: false,
    // A hash in `chpasswd` would be set late in the boot: after the guest is ready, and over a reset made by then.
    users: [
      {
        name: 'root',
        lock_passwd: !passwordHash,
        ...(passwordHash && { hashed_passwd: passwordHash }),
        ...(server.sshPublicKeys.length > 0 && { ssh_authorized_keys: server.sshPublicKeys }),
      },
    ],
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey, ed25519_public: server.hostKey },
    // No `ssh_pwauth`, which restarts sshd late in the boot: images let root in by password, locked until one is set.
  };
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
