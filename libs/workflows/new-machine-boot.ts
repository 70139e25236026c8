import type { YamlDocument } from '#libs/hypervisor';

/** Timers and cron start in a clone only where this file is not. */
const HOLD_FILE = '/etc/servery/timers-are-held';
const HOLD_DROP_IN = '50-servery-hold.conf';
/** All timers of the system and of its users, and what else starts programs by the clock. */
const HELD = [
  '/etc/systemd/system/timer.d',
  '/etc/systemd/user/timer.d',
  ...['cron', 'crond', 'cronie', 'anacron', 'atd'].map((name) => `/etc/systemd/system/${name}.service.d`),
];

const ALL_OF_IT = [HOLD_FILE, ...HELD.map((folder) => `${folder}/${HOLD_DROP_IN}`)].join(' ');

/** The golden images' own way to a machine id is an empty file at the first boot; a copied disk has one already. */
const NEW_MACHINE_ID = `
  [ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
  rm -f /etc/machine-id /var/lib/systemd/random-seed
  systemd-machine-id-setup
  systemctl restart systemd-journald || true
`;

const HOLD_TIMERS = `
  mkdir -p ${HELD.join(' ')} /etc/servery
  touch ${HOLD_FILE}
  for folder in ${HELD.join(' ')}; do
    printf '[Unit]\\nConditionPathExists=!${HOLD_FILE}\\n' > $folder/${HOLD_DROP_IN}
  done
  systemctl daemon-reload
`;

/** A disk that was copied while timers were held in it has that too. */
const HOLD_NO_TIMERS = `
  rm -f ${ALL_OF_IT}
`;

/**
 * What a server on a copied disk does at its first boot to be a new machine, before anything of it starts: it stands in the
 * seed, as `bootcmd` of cloud-init, which its new instance id has run once.
 */
export function newMachineBoot({ holdsTimers }: { readonly holdsTimers: boolean }): YamlDocument {
  const script = `${NEW_MACHINE_ID}${holdsTimers ? HOLD_TIMERS : HOLD_NO_TIMERS}`;
  return { bootcmd: [['cloud-init-per', 'instance', 'servery-new-machine', '/bin/sh', '-c', script]] };
}

/** For a guest whose timers are held: they and cron start as if it booted now. */
export const LET_TIMERS_GO = `
  rm -f ${ALL_OF_IT}
  rmdir ${HELD.join(' ')} /etc/servery 2> /dev/null
  systemctl daemon-reload || exit 1
  systemctl start timers.target
  systemctl list-unit-files --no-legend --state=enabled --type=timer,service |
    grep -oE '^([^ ]+[.]timer|(cron|crond|cronie|anacron|atd)[.]service)' |
    xargs -r systemctl start
  exit 0
`;
