import { billPower } from '#libs/billing';
import { type DomainFacts, isHypervisorError } from '#libs/hypervisor';
import { holdStrayAddresses, type Stray } from '#libs/networks';
import type { NewFinding } from '#libs/placement';
import { adoptDisk, generationOf, restoreTestsAmong, startAgain } from '#libs/servers';
import { type HostWorld, isStillIdle, type KnownServer, serversByUuid, serversOfHost } from './host-world.ts';

/**
 * Compares a host's domains with the servers that should be there; removes ours that no server owns any more. What the
 * database may have forgotten, because an old copy of it was restored, stays as it is, and nobody gets its addresses.
 */
export async function* reconcileDomains(world: HostWorld): AsyncGenerator<NewFinding> {
  const expected = await serversOfHost(world.dataSource, world.host.id);
  const domains = await world.hypervisor.listDomains(world.ref);
  const owners = await serversByUuid(
    world.dataSource,
    domains.map(({ uuid }) => uuid),
  );
  const byUuid = new Map(owners.map((server) => [server.uuid, server]));
  const strays: Stray[] = [];
  for (const domain of domains) {
    const finding = await reconcileDomain(world, domain, byUuid.get(domain.uuid));
    if (!finding) continue;
    if (finding.kind === 'orphan_domain' && finding.details?.removed === false) strays.push(domain);
    yield finding;
  }
  await holdStrayAddresses(world.dataSource.manager, world.host.id, strays);
  const present = new Set(domains.map(({ uuid }) => uuid));
  for (const server of expected) {
    if (server.busy || present.has(server.uuid)) continue;
    await showAs(world, server, 'off');
    yield {
      kind: 'domain_missing',
      hostId: world.host.id,
      subject: server.uuid,
      details: { serverId: server.id },
    };
  }
}

/**
 * Removes a domain only when both agree that it was ours and has no place here: its own mark, and a row of its UUID.
 * One with our mark and no row may be what an older copy of the database has forgotten, so the operator decides.
 */
async function reconcileDomain(
  world: HostWorld,
  domain: DomainFacts,
  server: KnownServer | undefined,
): Promise<NewFinding | undefined> {
  const finding = { hostId: world.host.id, subject: domain.uuid };
  const details = { name: domain.name, state: domain.state };
  if (!domain.ours) return { ...finding, kind: 'foreign_domain', details };
  if (!server) {
    const [test] = await restoreTestsAmong(world.dataSource.manager, { uuids: [domain.uuid] });
    if (test?.hasEnded === false) return undefined;
    const removed = test !== undefined && (await undefine(world, domain));
    const { addresses } = domain;
    return { ...finding, kind: 'orphan_domain', details: { ...details, addresses, removed } };
  }
  if (server.busy) return undefined;
  if (server.deleted || server.hostId !== world.host.id) {
    if (!(await isStillIdle(world.dataSource, server))) return undefined;
    const removed = await undefine(world, domain);
    return { ...finding, kind: 'orphan_domain', details: { ...details, serverId: server.id, removed } };
  }
  if (domain.wasCutOff && server.observed === 'running') world.wentDown.push(server);
  else await showAs(world, server, runs(domain) ? 'running' : 'off');
  const generation = generationOf(server, domain.volumes);
  if (generation === undefined || generation <= server.generation) return undefined;
  if (!(await adoptDisk(world.dataSource.manager, { ...server, generation }))) return undefined;
  return { ...finding, kind: 'disk_adopted', details: { ...details, serverId: server.id, generation } };
}

/** False where the host refuses: all else there is looked at all the same. */
async function undefine({ hypervisor, ref }: HostWorld, { uuid }: DomainFacts): Promise<boolean> {
  try {
    await hypervisor.undefineDomain(ref, uuid);
    return true;
  } catch (error) {
    if (isHypervisorError(error, 'host_refused')) return false;
    throw error;
  }
}

function runs({ state }: DomainFacts): boolean {
  return state === 'running' || state === 'paused';
}

/** Switches on again what went down with the host, where its owner wants it to run. @returns how many */
export async function startWhatWentDown(world: HostWorld): Promise<number> {
  let started = 0;
  for (const server of world.wentDown) {
    if (await startAgain(world.dataSource, server.id)) started += 1;
    else await showAs(world, server, 'off');
  }
  return started;
}

/** Shows its owner what the host says, unless a workflow has begun meanwhile. */
async function showAs(world: HostWorld, server: KnownServer, observed: 'running' | 'off'): Promise<void> {
  if (!server.ready || server.observed === observed) return;
  await world.dataSource.transaction(async (manager) => {
    const [, changed] = await manager.query<[unknown, number]>(
      `UPDATE servers s SET observed = $2 WHERE s.id = $1 AND s.observed = $3 AND s.desired <> 'deleted'
         AND NOT EXISTS (SELECT 1 FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = s.id
                         AND g.finished_at IS NULL)`,
      [server.id, observed, server.observed],
    );
    if (changed > 0) await billPower(manager, server.id, observed);
  });
}
