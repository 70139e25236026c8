import type { GuestProgram } from './guest-program.ts';

/** In memory, so that what a script holds never reaches the guest's disk, nor a snapshot of it. */
const FOLDER = '/run/servery/runs';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** `RUN`, with the script at its standard input. Prints the boot that the script now waits in. */
export const SEND_SCRIPT: GuestProgram = {
  name: 'servery-script-send',
  text: `
set -e
umask 077
folder=${FOLDER}/$1
mkdir -p "$folder"
cat > "$folder/script.new"
mv "$folder/script.new" "$folder/script"
cat ${BOOT_ID}
`,
};

/**
 * `FOLDER SECONDS STAGE MOST_BYTES`: runs the script of a run, at most once whoever asks how often, with what it prints in
 * a file. What is too much for that is counted and dropped, so that no script fills the memory. What a script leaves
 * running may go on holding its output: nobody waits for that.
 */
const RUNNER = `
cd "$1" && mkdir claimed || exit 0
export HOME=/root USER=root LOGNAME=root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive SERVERY_STAGE="$3"
interpreter=/bin/sh
IFS= read -r first < script
case "$first" in '#!'*) interpreter=\${first#'#!'} ;; esac
set -f
keep() {
  size=0
  while [ "$size" -le "$(($1 - 16384))" ]; do
    dd bs=16384 count=1 2>/dev/null >> output
    now=$(stat -c %s output)
    [ "$now" -eq "$size" ] && break
    size=$now
  done
  wc -c > cut.new
  mv cut.new cut
}
{
  begun=$(date +%s)
  ( cd /root && exec timeout -k 10 "$2" $interpreter "$1/script" </dev/null )
  echo "$? $(($(date +%s) - begun))" > status.new
  mv status.new status
} 2>&1 | keep "$4"
`;

/**
 * `RUN BOOT SECONDS STAGE MOST_BYTES`. A unit of its own, for the agent's own dies with it when a script upgrades the
 * agent; without systemd a session of its own. Prints `started`, also where it was, or `lost` after a reboot.
 */
export const START_SCRIPT: GuestProgram = {
  name: 'servery-script-start',
  text: `
folder=${FOLDER}/$1
[ "$(cat ${BOOT_ID})" = "$2" ] && [ -e "$folder/script" ] || { echo lost; exit 0; }
if [ -e "$folder/claimed" ]; then
  echo started
  exit 0
fi
umask 077
touch "$folder/output"
cat > "$folder/runner.$$" <<'RUNNER'
${RUNNER}
RUNNER
mv "$folder/runner.$$" "$folder/runner"
set -- "$folder/runner" "$folder" "$3" "$4" "$5" "$1"
if [ -d /run/systemd/system ]; then
  systemd-run --quiet --collect --unit="servery-run-$6" --property=KillMode=process \\
    --property=RuntimeMaxSec="$(($3 + 60))" /bin/sh "$1" "$2" "$3" "$4" "$5"
else
  setsid /bin/sh "$1" "$2" "$3" "$4" "$5" </dev/null >/dev/null 2>&1 &
fi
tries=0
until [ -e "$folder/claimed" ]; do
  tries=$((tries + 1))
  [ "$tries" -gt 20 ] && exit 1
  sleep 1
done
echo started
`,
};

/** After a script has ended, what it left running may hold its output for so long. */
const LINGER_SECONDS = 5;

/**
 * `RUN AFTER MOST`: prints `STATE SIZE CUT EXIT SECONDS` and, in base64, at most so many bytes of the output after a
 * position. It has `ended` when nothing is added any more.
 */
export const READ_SCRIPT: GuestProgram = {
  name: 'servery-script-read',
  text: `
cd ${FOLDER}/$1 2>/dev/null && [ -e claimed ] || { echo lost 0 0 0 0; exit 0; }
state=running
result='0 0'
if [ -e status ]; then
  result=$(cat status)
  age=$(($(date +%s) - $(stat -c %Y status)))
  if [ -e cut ] || [ "$age" -gt ${LINGER_SECONDS} ]; then state=ended; fi
fi
cut=0
[ -e cut ] && cut=$(cat cut)
echo $state $(stat -c %s output) $cut $result
tail -c "+$(($2 + 1))" output | head -c "$3" | base64 -w 0
`,
};

/** `RUN`: from now on it is not started. Prints `begun` where it was, and where nobody knows any more. */
export const CANCEL_SCRIPT: GuestProgram = {
  name: 'servery-script-cancel',
  text: `cd ${FOLDER}/$1 2>/dev/null && [ -e script ] && mkdir claimed 2>/dev/null && echo cancelled || echo begun`,
};

/** `RUN`: removes all of it. */
export const CLEAR_SCRIPT: GuestProgram = {
  name: 'servery-script-clear',
  text: `rm -rf "${FOLDER}/$1"`,
};
