import { startApp } from './app.ts';
import { openClient } from './device/open-client.ts';
import { createOfficeApi } from './office/office-api.ts';

startApp({ openClient, officeApi: createOfficeApi() });
