/** What an action of the API is called in a list, while it runs and when it is done. */
interface ActionWords {
  readonly name: string;
  readonly doing: string;
  readonly done: string;
  /** How the server is after a failure, and what to do; unless told, it was left as it was. */
  readonly failed?: string;
  /** It was not its owner's wish. */
  readonly isImposed?: boolean;
}

const WORDS: Readonly<Record<string, ActionWords>> = {
  create_server: { name: 'Order', doing: 'Setting it up', done: 'It is set up' },
  clone_server: { name: 'Clone', doing: 'Cloning it', done: 'It is cloned' },
  open_network: { name: 'Open network', doing: 'Opening its network', done: 'Its network is open' },
  start_server: { name: 'Power on', doing: 'Powering it on', done: 'It is on' },
  stop_server: { name: 'Power off', doing: 'Powering it off', done: 'It is off' },
  shutdown_server: { name: 'Shut down', doing: 'Shutting it down', done: 'It has shut down' },
  reboot_server: { name: 'Restart', doing: 'Restarting it', done: 'It is restarting' },
  reset_server: { name: 'Reset', doing: 'Resetting it', done: 'It was reset' },
  reset_password: {
    name: 'New password',
    doing: 'Setting a new password',
    done: 'The new password waits under “Log in”',
  },
  request_console: { name: 'Console', doing: 'Asking for its console', done: 'Its console was asked for' },
  rebuild_server: {
    name: 'Rebuild',
    doing: 'Rebuilding it',
    done: 'It is rebuilt, checked and running',
    failed: 'The server is on its former disk again, with all that is on it. You can try again.',
  },
  change_server_type: { name: 'Resize', doing: 'Resizing it', done: 'It has its new size' },
  roll_back_server: { name: 'Roll back', doing: 'Rolling it back', done: 'It is back at its snapshot' },
  create_image: { name: 'Snapshot', doing: 'Keeping its disk as it is', done: 'Its disk is kept as it was' },
  freeze_disk: {
    name: 'Freeze',
    doing: 'Freezing its disk, which is read from then on',
    done: 'Its disk is frozen, and read while it goes on',
  },
  export_server: { name: 'Export', doing: 'Making the file', done: 'The file is ready under “Take it home”' },
  enable_backup: { name: 'Backups on', doing: 'Turning backups on', done: 'Backups are made from now on' },
  disable_backup: { name: 'Backups off', doing: 'Turning backups off', done: 'No more backups are made' },
  change_protection: {
    name: 'Protection',
    doing: 'Changing its protection',
    done: 'Its protection is changed',
  },
  suspend_server: {
    name: 'Suspension',
    doing: 'Switching it off: it is suspended',
    done: 'It is switched off and taken off the network',
    isImposed: true,
  },
  resume_server: {
    name: 'End of suspension',
    doing: 'Bringing it back as it was',
    done: 'It is back as it was',
  },
  retire_server: {
    name: 'Removal',
    doing: 'Taking it out of use',
    done: 'It is out of use; its data is kept for now',
    isImposed: true,
  },
  apply_rehearsal: {
    name: 'Upgrade',
    doing: 'Applying the rehearsed upgrade',
    done: 'The upgrade is applied',
  },
  rehearse_server: {
    name: 'Rehearsal',
    doing: 'Rehearsing the upgrade on a clone',
    done: 'The upgrade was rehearsed',
  },
  enable_rescue: {
    name: 'Rescue on',
    doing: 'Making its rescue system',
    done: 'Its next boot is from the rescue system',
  },
  disable_rescue: {
    name: 'Rescue off',
    doing: 'Taking its rescue system away',
    done: 'Its next boot is from its own disk',
  },
  attach_iso: { name: 'Attach ISO', doing: 'Putting the ISO image in', done: 'It has the ISO image' },
  detach_iso: { name: 'Detach ISO', doing: 'Taking the ISO image out', done: 'Its CD drive is empty' },
  attach_volume: { name: 'Attach volume', doing: 'Attaching the volume', done: 'It has the volume' },
  detach_volume: { name: 'Detach volume', doing: 'Detaching the volume', done: 'The volume is detached' },
  resize_volume: { name: 'Resize volume', doing: 'Making the volume larger', done: 'The volume is larger' },
  delete_server: { name: 'Delete', doing: 'Deleting it', done: 'It is deleted' },
};

export function actionWords(command: string): ActionWords {
  const name = command.replaceAll('_', ' ');
  return WORDS[command] ?? { name, doing: name, done: `${name}: done` };
}
