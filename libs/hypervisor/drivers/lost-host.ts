import { HypervisorError } from '../hypervisor.errors.ts';
import type { GuestReach } from '../port/guest-reach.ts';
import type { HostRef } from '../port/hosts.ts';
import type { Hypervisor } from '../port/hypervisor.ts';
import type { SeedDetachment } from '../port/seeds.ts';

export function hostLost({ name }: HostRef): HypervisorError {
  const message = `Host ${name} is gone for good, with all that was on it.`;
  return new HypervisorError('host_lost', message, { details: { host: name } });
}

const refuse = async (host: HostRef): Promise<never> => {
  throw hostLost(host);
};
const findNone = async () => [];
const beGone = async () => {};

/**
 * Answers for a host that is gone for good: nothing is found there, to remove or to stop something is success, and all else
 * fails for good. So what is under way on it comes to its end.
 */
export class LostHost implements Hypervisor, GuestReach {
  listImages = findNone;
  listVolumes = findNone;
  listDomains = findNone;
  sampleDomains = findNone;
  domainState = async () => 'absent' as const;

  unmarkStorage = beGone;
  deleteImage = beGone;
  deleteVolume = beGone;
  detachVolume = beGone;
  ejectIso = beGone;
  undefineDomain = beGone;
  shutdownDomain = beGone;
  destroyDomain = beGone;
  detachSeed = async (): Promise<SeedDetachment> => 'released';

  inspectHost = refuse;
  probeAcceleration = refuse;
  inspectStorage = refuse;
  markStorage = refuse;
  importImage = refuse;
  downloadImage = refuse;
  createOverlay = refuse;
  createSeed = refuse;
  createVolume = refuse;
  attachVolume = refuse;
  insertIso = refuse;
  growVolume = refuse;
  flattenVolume = refuse;
  downloadVolume = refuse;
  copyVolume = refuse;
  defineDomain = refuse;
  startDomain = refuse;
  rebootDomain = refuse;
  resetDomain = refuse;
  setNetwork = refuse;
  freezeDisk = refuse;
  resumeDomain = refuse;
  mergeLayers = refuse;
  diskReadBytes = refuse;
  openConsole = refuse;
  agentPing = refuse;
  agentExec = refuse;
  agentSetPassword = refuse;

  readSshHostKey = refuse;
  httpGet = refuse;
  tcpOpen = refuse;
}
