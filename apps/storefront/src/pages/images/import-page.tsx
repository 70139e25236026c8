import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { sshKeysQuery } from '../../api/account.ts';
import { ApiError } from '../../api/client.ts';
import { type DiskToImport, IMPORT_FORMATS } from '../../api/images.ts';
import { Button } from '../../components/button.tsx';
import { CheckBox } from '../../components/check-box.tsx';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Panel, Section } from '../../components/section.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { TextField } from '../../components/text-field.tsx';
import { formatBytes } from '../../format.ts';
import { ImportProgress } from './import-progress.tsx';
import { StoppedUploads } from './stopped-uploads.tsx';
import { useImport } from './use-import.ts';

type Format = DiskToImport['format'];

const FORMAT_NAMES: Readonly<Record<Format, string>> = {
  qcow2: 'qcow2 (QEMU, KVM, Proxmox)',
  raw: 'raw (the plain bytes of a disk)',
  vmdk: 'VMDK (VMware)',
  vdi: 'VDI (VirtualBox)',
  vhd: 'VHD (Hyper-V, Azure)',
  vhdx: 'VHDX (Hyper-V)',
  ova: 'OVA (a packed machine)',
};
const FORMATS = IMPORT_FORMATS.map((format) => [format, FORMAT_NAMES[format]] as const);

export function ImportPage() {
  const work = useImport();
  return (
    <Page
      title="Bring a disk along"
      lead="The disk of a machine that you have elsewhere becomes an image, of which you order servers. It is read in a sandbox before anything else touches it."
      narrow
    >
      {work.data ? (
        <Panel>
          <ImportProgress started={work.data} />
        </Panel>
      ) : (
        <>
          <ImportForm work={work} />
          {!work.isPending && <StoppedUploads />}
        </>
      )}
    </Page>
  );
}

function ImportForm({ work }: { work: ReturnType<typeof useImport> }) {
  const [from, setFrom] = useState<'file' | 'url'>('file');
  const [file, setFile] = useState<File | null>(null);
  const [url, setUrl] = useState('');
  const [name, setName] = useState('');
  const [format, setFormat] = useState<Format>('qcow2');
  const [keys, setKeys] = useState<readonly number[]>([]);
  const [tried, setTried] = useState(false);
  const fields = work.error instanceof ApiError ? work.error.fields : {};
  const missing = from === 'file' ? file === null : url.trim() === '';

  function chooseFile(chosen: File | null): void {
    setFile(chosen);
    const [stem = '', ending] = chosen?.name.toLowerCase().split(/\.(?=[^.]*$)/) ?? [];
    const known = IMPORT_FORMATS.find((one) => one === (ending === 'img' ? 'raw' : ending));
    if (known) setFormat(known);
    if (name === '') setName(stem);
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (missing || name.trim() === '') return;
    const disk = { name: name.trim(), format, ...(keys.length > 0 && { ssh_keys: keys }) };
    if (from === 'url') work.begin({ disk, source: { url: url.trim() } });
    else if (file) work.begin({ disk, source: { file } });
  }

  return (
    <form noValidate onSubmit={submit} className="grid gap-10">
      {work.error && <ErrorPanel error={work.error} title="It was not imported" />}
      <Section title="Where is it?">
        {(titleId) => (
          <div className="grid gap-4">
            <ChoiceGroup
              labelledBy={titleId}
              value={from}
              onChange={(chosen) => setFrom(chosen === 'url' ? 'url' : 'file')}
            >
              <Choice value="file">
                <span className="block font-[600]">On this computer</span>
                <span className="block text-sm text-soft">
                  A break does no harm: it goes on where it was.
                </span>
              </Choice>
              <Choice value="url">
                <span className="block font-[600]">At an address</span>
                <span className="block text-sm text-soft">We fetch it, by https.</span>
              </Choice>
            </ChoiceGroup>
            {from === 'file' ? (
              <FileField file={file} onChange={chooseFile} problem={tried && !file} />
            ) : (
              <TextField
                label="Address"
                name="url"
                placeholder="https://example.com/disk.qcow2"
                value={url}
                onValueChange={setUrl}
                problem={fields.url ?? (tried && missing ? 'Where does it lie?' : null)}
                autoComplete="off"
                spellCheck={false}
                mono
              />
            )}
          </div>
        )}
      </Section>
      <Section title="What is it?">
        <div className="grid gap-5">
          <TextField
            label="Name"
            name="image-name"
            value={name}
            onValueChange={setName}
            problem={fields.name ?? (tried && name.trim() === '' ? 'What is it to be called?' : null)}
            maxLength={128}
            autoComplete="off"
          />
          <SelectField
            label="Format"
            value={format}
            options={FORMATS}
            onChange={setFormat}
            hint="It is never guessed: what is not of this format is refused."
          />
        </div>
      </Section>
      <KeyBoxes chosen={keys} onChange={setKeys} />
      <div className="grid gap-4">
        {work.isPending && file && from === 'file' && <Sending work={work} file={file} />}
        <Button type="submit" size="large" busy={work.isPending}>
          Import it
        </Button>
      </div>
    </form>
  );
}

function FileField(props: { file: File | null; onChange: (file: File | null) => void; problem: boolean }) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-[550]">
        Disk file
      </label>
      <input
        id={id}
        name="disk"
        type="file"
        onChange={(event) => props.onChange(event.currentTarget.files?.[0] ?? null)}
        className="block w-full rounded-control border border-line-strong bg-surface p-2 text-sm file:mr-3 file:rounded-control file:border-0 file:bg-sunken file:px-3 file:py-1.5"
      />
      {props.problem && <p className="text-sm font-medium text-bad">Which file is it?</p>}
    </div>
  );
}

function KeyBoxes(props: { chosen: readonly number[]; onChange: (keys: readonly number[]) => void }) {
  const { data: keys = [] } = useQuery(sshKeysQuery);
  const { chosen, onChange } = props;
  if (keys.length === 0) return null;
  return (
    <Section
      title="Keys to be put into it"
      hint="For a Linux without cloud-init on ext2, ext3 or ext4: its root lets them in, and its servers take their address, name and identity from us. Others need none."
    >
      <div className="grid gap-2.5">
        {keys.map(({ id, name }) => (
          <CheckBox
            key={id}
            label={name}
            checked={chosen.includes(id)}
            onChange={(isChosen) =>
              onChange(isChosen ? [...chosen, id] : chosen.filter((other) => other !== id))
            }
          />
        ))}
      </div>
    </Section>
  );
}

function Sending({ work, file }: { work: ReturnType<typeof useImport>; file: File }) {
  return (
    <div className="grid gap-2">
      <progress
        aria-label="Sending the file"
        value={work.sentBytes}
        max={file.size}
        className="h-1.5 w-full overflow-hidden rounded-full accent-brand"
      />
      <p className="flex justify-between gap-4 text-sm text-soft tabular-nums">
        {formatBytes(work.sentBytes)} of {formatBytes(file.size)}
        <button type="button" onClick={work.cancel} className="underline underline-offset-4 hover:text-ink">
          Stop
        </button>
      </p>
    </div>
  );
}
