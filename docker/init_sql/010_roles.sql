-- Databases and login roles only; tables, and each role's rights on them, come from the migrations.
-- psql reads each password from its environment, so none of them is ever written into a file.
\set ON_ERROR_STOP on
\getenv owner_password OWNER_DB_PASSWORD
\getenv api_password API_DB_PASSWORD
\getenv relay_password RELAY_DB_PASSWORD
\getenv consumer_password CONSUMER_DB_PASSWORD
\getenv scorer_password SCORER_DB_PASSWORD
\getenv lakehouse_password LAKEHOUSE_DB_PASSWORD
\getenv trainer_password TRAINER_DB_PASSWORD
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv nimtable_password NIMTABLE_DB_PASSWORD
\getenv student_password STUDENT_DB_PASSWORD

CREATE ROLE gourmetgram_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE api LOGIN PASSWORD :'api_password';
CREATE ROLE outbox_relay LOGIN PASSWORD :'relay_password';
CREATE ROLE stream_consumer LOGIN PASSWORD :'consumer_password';
CREATE ROLE risk_scoring LOGIN PASSWORD :'scorer_password';
CREATE ROLE lakehouse LOGIN PASSWORD :'lakehouse_password';
CREATE ROLE trainer LOGIN PASSWORD :'trainer_password';
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE nimtable LOGIN PASSWORD :'nimtable_password';
CREATE ROLE student LOGIN PASSWORD :'student_password';

CREATE DATABASE gourmetgram OWNER gourmetgram_owner;
REVOKE ALL ON DATABASE gourmetgram FROM PUBLIC;
GRANT CONNECT ON DATABASE gourmetgram TO api, outbox_relay, stream_consumer, risk_scoring, student;

CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE nimtable OWNER nimtable;
CREATE DATABASE iceberg_catalog OWNER lakehouse;
REVOKE ALL ON DATABASE airflow, nimtable, iceberg_catalog FROM PUBLIC;
GRANT CONNECT ON DATABASE iceberg_catalog TO trainer, student;

-- The catalog's tables are made by the first who writes to it, so what students may do there is said beforehand.
\connect iceberg_catalog
ALTER SCHEMA public OWNER TO lakehouse;
ALTER DEFAULT PRIVILEGES FOR ROLE lakehouse IN SCHEMA public GRANT SELECT ON TABLES TO student;

-- Two of these tables are made here, as PyIceberg would, because others than their owner write to them too: the training
-- tags what models are trained on, and adds tables, in the namespace `moderation` and nowhere else.
SET ROLE lakehouse;
CREATE TABLE iceberg_tables (
    catalog_name               varchar(255) NOT NULL,
    table_namespace            varchar(255) NOT NULL,
    table_name                 varchar(255) NOT NULL,
    metadata_location          varchar(1000),
    previous_metadata_location varchar(1000),
    iceberg_type               varchar(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE iceberg_namespace_properties (
    catalog_name   varchar(255) NOT NULL,
    namespace      varchar(255) NOT NULL,
    property_key   varchar(255) NOT NULL,
    property_value varchar(1000) NOT NULL,
    PRIMARY KEY (catalog_name, namespace, property_key)
);
GRANT SELECT, INSERT ON iceberg_tables, iceberg_namespace_properties TO trainer;
GRANT UPDATE (metadata_location, previous_metadata_location) ON iceberg_tables TO trainer;

ALTER TABLE iceberg_tables ENABLE ROW LEVEL SECURITY;
ALTER TABLE iceberg_namespace_properties ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_read ON iceberg_tables FOR SELECT USING (true);
CREATE POLICY all_read ON iceberg_namespace_properties FOR SELECT USING (true);
CREATE POLICY trainer_adds ON iceberg_tables FOR INSERT TO trainer WITH CHECK (table_namespace = 'moderation');
CREATE POLICY trainer_adds ON iceberg_namespace_properties FOR INSERT TO trainer WITH CHECK (namespace = 'moderation');
CREATE POLICY trainer_commits ON iceberg_tables FOR UPDATE TO trainer USING (table_namespace = 'moderation');
RESET ROLE;
