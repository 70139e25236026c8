import type { IsoWire } from '#libs/contracts';
import type { Iso } from '#libs/isos';
import { ARCHITECTURE } from '../catalog/image.presenter.ts';

export function presentIso({ id, name, description }: Iso): IsoWire {
  return { id, name, description, type: 'public', architecture: ARCHITECTURE, deprecation: null };
}
