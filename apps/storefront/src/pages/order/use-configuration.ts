import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ProductWire } from '#libs/contracts';
import { accountQuery, sshKeysQuery } from '../../api/account.ts';
import { volumesQuery } from '../../api/volumes.ts';
import { defaultOffer } from '../../offers.ts';
import { type AccessChoice, readOrderDraft, saveOrderDraft } from '../../order-draft.ts';
import { serverNameProblem, suggestServerName } from '../../server-name.ts';
import { publicKeyProblem } from '../../ssh-public-key.ts';

/** The state of the configure form: starts from the draft of this tab, else from sensible choices. */
export function useConfiguration(product: ProductWire, wantedType: string | undefined, done: () => void) {
  const [draft] = useState(() => {
    const saved = readOrderDraft();
    return saved?.product === product.name ? saved : null;
  });
  const [serverType, setServerType] = useState(() => firstType(product, wantedType ?? draft?.serverType));
  const [name, setName] = useState(() => draft?.name ?? suggestServerName());
  const [chosenAccess, setAccess] = useState<AccessChoice | null>(draft?.access ?? null);
  const volumes = useVolumes(draft?.volumes ?? []);
  const [automount, setAutomount] = useState(draft?.automount ?? true);
  const [tried, setTried] = useState(false);
  const access = useAccessOrDefault(chosenAccess);
  const orderable = product.offers.some((offer) => offer.server_type.name === serverType && offer.in_stock);
  const problems = tried ? findProblems(name, access) : {};

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    setTried(true);
    const found = findProblems(name, access);
    if (found.name || found.key) {
      const field = found.key ? 'public-key' : 'server-name';
      event.currentTarget.querySelector<HTMLElement>(`[name="${field}"]`)?.focus();
      return;
    }
    saveOrderDraft({ product: product.name, serverType, name, access, volumes: volumes.chosen, automount });
    done();
  }

  return {
    ...{ serverType, setServerType, name, setName, access, setAccess, volumes, automount, setAutomount },
    ...{ problems, orderable, submit },
  };
}

function firstType(product: ProductWire, wanted: string | undefined): string {
  const offered = product.offers.find((offer) => offer.server_type.name === wanted && offer.in_stock);
  return (offered ?? defaultOffer(product.offers))?.server_type.name ?? '';
}

/** Who has saved an SSH key most likely wants it; who has none gets in with a password. */
function useAccessOrDefault(chosen: AccessChoice | null): AccessChoice {
  const { data: account } = useQuery(accountQuery);
  const { data: keys } = useQuery({ ...sshKeysQuery, enabled: Boolean(account) });
  if (chosen) return chosen;
  const first = keys?.[0];
  return first ? { kind: 'saved_key', keyId: first.id } : { kind: 'password' };
}

/** Of the project's volumes those that no server has; what was chosen and is not among them any more is left out. */
function useVolumes(firstChosen: readonly number[]) {
  const { data: account } = useQuery(accountQuery);
  const { data } = useQuery({ ...volumesQuery, enabled: Boolean(account) });
  const [chosen, choose] = useState(firstChosen);
  const free = (data ?? []).filter(({ server, status }) => server === null && status === 'available');
  const isFree = (id: number) => data === undefined || free.some((volume) => volume.id === id);
  return { free, chosen: chosen.filter(isFree), choose };
}

function findProblems(name: string, access: AccessChoice): { name?: string | null; key?: string | null } {
  return {
    name: serverNameProblem(name),
    key: access.kind === 'new_key' ? publicKeyProblem(access.publicKey) : null,
  };
}
