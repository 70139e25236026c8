import { useQuery } from '@tanstack/react-query';
import { accountQuery, sshKeysQuery } from '../../api/account.ts';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { TextField } from '../../components/text-field.tsx';
import type { AccessChoice } from '../../order-draft.ts';
import { publicKeyComment } from '../../ssh-public-key.ts';

interface AccessChooserProps {
  readonly titleId: string;
  readonly value: AccessChoice;
  readonly onChange: (choice: AccessChoice) => void;
  readonly problem: string | null | undefined;
}

const NEW_KEY: AccessChoice = { kind: 'new_key', name: '', publicKey: '' };

export function AccessChooser({ titleId, value, onChange, problem }: AccessChooserProps) {
  const { data: account } = useQuery(accountQuery);
  const { data: keys = [] } = useQuery({ ...sshKeysQuery, enabled: Boolean(account) });
  const selected = value.kind === 'saved_key' ? `saved:${value.keyId}` : value.kind;

  function select(choice: string): void {
    if (choice === 'password') onChange({ kind: 'password' });
    else if (choice === 'new_key') onChange(NEW_KEY);
    else onChange({ kind: 'saved_key', keyId: Number(choice.slice('saved:'.length)) });
  }

  return (
    <div className="grid gap-4">
      <ChoiceGroup labelledBy={titleId} value={selected} onChange={select}>
        {keys.map((key) => (
          <Choice key={key.id} value={`saved:${key.id}`}>
            <span className="block font-[600]">{key.name}</span>
            <span className="mt-0.5 block truncate font-mono text-xs text-soft">{key.fingerprint}</span>
          </Choice>
        ))}
        <Choice value="new_key">
          <span className="block font-[600]">{keys.length > 0 ? 'Another SSH key' : 'An SSH key'}</span>
          <span className="mt-0.5 block text-sm text-soft">
            The safest way in. Your private key stays with you.
          </span>
        </Choice>
        <Choice value="password">
          <span className="block font-[600]">A password</span>
          <span className="mt-0.5 block text-sm text-soft">
            We make a strong one and show it to you once.
          </span>
        </Choice>
      </ChoiceGroup>
      {value.kind === 'new_key' && <NewKeyFields value={value} onChange={onChange} problem={problem} />}
    </div>
  );
}

type NewKey = Extract<AccessChoice, { kind: 'new_key' }>;

function NewKeyFields({
  value,
  onChange,
  problem,
}: Omit<AccessChooserProps, 'titleId' | 'value'> & { value: NewKey }) {
  return (
    <div className="grid animate-settle gap-4 rounded-card border border-line bg-surface p-4 sm:p-5">
      <TextField
        label="Public key"
        name="public-key"
        hint={
          <>
            On your computer: <code className="font-mono">cat ~/.ssh/id_ed25519.pub</code>. No key yet? Make
            one with <code className="font-mono">ssh-keygen -t ed25519</code>.
          </>
        }
        placeholder="ssh-ed25519 AAAA… you@computer"
        value={value.publicKey}
        onValueChange={(publicKey) => onChange({ ...value, publicKey })}
        problem={problem}
        spellCheck={false}
        autoComplete="off"
        multiline
        mono
      />
      <TextField
        label="Name it"
        name="key-name"
        hint="So that you find it again next time."
        placeholder={publicKeyComment(value.publicKey) || 'My laptop'}
        value={value.name}
        onValueChange={(name) => onChange({ ...value, name })}
        autoComplete="off"
        maxLength={128}
      />
    </div>
  );
}
