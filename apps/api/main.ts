import { loadEnvironment } from '#libs/config';
import { createApi } from './create-app.ts';

const environment = loadEnvironment();
const { app } = await createApi(environment);
await app.listen(environment.SERVERY_PORT, environment.SERVERY_HOST);
