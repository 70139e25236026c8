import { button, facts, letter, paragraph } from '../letter.ts';
import type { MailContext } from '../template.ts';

/** Names of what is lost, and of what there still is of it elsewhere. */
interface HostLostData {
  readonly servers: readonly string[];
  readonly volumes: readonly string[];
  /** Snapshots and backups. */
  readonly images: readonly string[];
  readonly kept: readonly string[];
}

/** A machine failed for good, with the disks of what was on it. */
export function hostLost({ servers, volumes, images, kept }: HostLostData, { siteUrl }: MailContext) {
  const rows = [
    ['Servers', servers],
    ['Volumes', volumes],
    ['Snapshots and backups', images],
    ['Still there', kept],
  ] as const;
  return letter(servers.length > 0 ? 'Servers of yours are lost' : 'Data of yours is lost', [
    paragraph(
      'A machine has failed for good, and what was on its disks cannot be recovered. We are sorry. This was on it; it is ' +
        'deleted now, and is not billed any more.',
    ),
    facts(rows.filter(([, names]) => names.length > 0).map(([what, names]) => [what, names.join(', ')])),
    paragraph(
      kept.length > 0
        ? 'What is still there lies elsewhere: download an export or order a server of a snapshot to go on from it. All else in your account is as it was.'
        : 'We have no copy of it elsewhere: what you have downloaded is what there is. All else in your account is as it was.',
    ),
    button('See your servers', `${siteUrl}/servers`),
  ]);
}
