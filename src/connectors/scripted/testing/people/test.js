connection.query(`SELECT COUNT(*) AS people FROM ${configuration.propertyBag.table}`)
