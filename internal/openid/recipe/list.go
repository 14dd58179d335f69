package recipe

// Ways in which tools send their secret.
const (
	basic = "client_secret_basic"
	post  = "client_secret_post"
	none  = "none"
)

// recipes are all recipes, sorted by name.
var recipes = []Recipe{
	{
		ID: "argocd", Name: "Argo CD", Format: YAML, Public: true, PKCE: true, Auth: none,
		Docs:   "https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/#existing-oidc-provider",
		Read:   "the documentation of Argo CD 3, at commit 02320bf",
		Where:  "Merge these into the ConfigMaps argocd-cm and argocd-rbac-cm.",
		Scopes: []string{"openid", "profile", "email", "groups"},
		Admins: "Argo CD admins",
		Notes: []string{
			"One public client serves the web interface and the argocd command, which has no secret to keep. Argo CD adds offline_access by itself.",
			"Without a role, people who sign in see nothing: add a line for every group.",
		},
		uses: []string{"/auth/callback", "/pkce/verify", "http://localhost:8085/auth/callback"},
	},
	{
		ID: "gitea", Name: "Gitea", Format: Shell, Auth: basic,
		Docs:   "https://docs.gitea.com/administration/command-line",
		Read:   "the flags of gitea admin auth add-oauth, at commit 06a3f9a, and settings of Gitea 1.27",
		Where:  "Run this as the user that Gitea runs as.",
		Scopes: []string{"openid", "email", "profile", "groups"},
		Admins: "Gitea admins",
		Notes: []string{
			"The name guestlist is part of the redirect URI: change both or neither.",
			"At every sign-in, Gitea makes members of the group administrators, and takes the role from all others. Leave out --admin-group to choose administrators in Gitea.",
			"To create accounts at the first sign-in, set ENABLE_AUTO_REGISTRATION = true in the section [oauth2_client] of app.ini.",
		},
		uses: []string{"/user/oauth2/guestlist/callback"},
	},
	{
		ID: "grafana", Name: "Grafana", Format: INI, PKCE: true, Auth: basic,
		Docs:   "https://grafana.com/docs/grafana/latest/setup-grafana/configure-access/configure-authentication/generic-oauth/",
		Read:   "the documentation of Grafana 12, at commit 06fccec",
		Where:  "Add this to grafana.ini and restart Grafana.",
		Scopes: []string{"openid", "profile", "email", "groups", "offline_access"},
		Admins: "Grafana admins",
		Notes: []string{
			"Grafana refreshes the access token every 15 minutes, and signs people out who may no longer open it.",
			"Each setting can be an environment variable instead, such as GF_AUTH_GENERIC_OAUTH_CLIENT_ID.",
		},
		uses: []string{"/login/generic_oauth"},
	},
	{
		ID: "homeassistant", Name: "Home Assistant", Format: YAML, Public: true, PKCE: true, Auth: none,
		Docs:   "https://github.com/christiaangoossens/hass-oidc-auth/blob/main/docs/configuration.md",
		Read:   "the documentation of the integration auth_oidc, at commit 0b5d603",
		Where:  "Install the integration “OpenID Connect/SSO Authentication” (auth_oidc) from HACS, add this to configuration.yaml, and restart Home Assistant.",
		Scopes: []string{"openid", "profile", "groups"},
		Admins: "Home Assistant admins",
		Notes: []string{
			"The integration recommends a public client, which needs no secret.",
			"People sign in at /auth/oidc/welcome. With features.automatic_user_linking they keep their Home Assistant users, if the user names are equal; turn it off again afterwards.",
		},
		uses: []string{"/auth/oidc/callback"},
	},
	{
		ID: "immich", Name: "Immich", Format: Form, PKCE: true, Auth: post,
		Docs:   "https://docs.immich.app/administration/oauth",
		Read:   "the documentation of Immich 3, at commit 0a0f030",
		Where:  "Fill this in at Administration, Settings, OAuth, and save.",
		Scopes: []string{"openid", "email", "profile"},
		Notes: []string{
			"The mobile app signs in through Immich’s own address /api/oauth/mobile-redirect, because a client with a secret can’t use app.immich:///oauth-callback.",
			"Immich doesn’t read groups. Choose its administrators in Immich.",
		},
		uses: []string{"/auth/login", "/user-settings", "/api/oauth/mobile-redirect"},
	},
	{
		ID: "jellyfin", Name: "Jellyfin", Format: Form, PKCE: true, Auth: post,
		Docs:   "https://github.com/9p4/jellyfin-plugin-sso",
		Read:   "the documentation and the settings page of the SSO plugin 4, at commit 01866d8",
		Where:  "Install the SSO plugin, fill this in at Dashboard, Plugins, SSO-Auth, save, and restart Jellyfin.",
		Scopes: []string{"openid", "profile", "groups"},
		Admins: "Jellyfin admins",
		Notes: []string{
			"The name guestlist is part of the redirect URI: change both or neither.",
			"People sign in at /sso/OID/start/guestlist, and only in the browser; apps connect with Quick Connect.",
			"A user of Jellyfin with the same name as the one who signs in is taken over, with new permissions.",
		},
		uses: []string{"/sso/OID/redirect/guestlist"},
	},
	{
		ID: "nextcloud", Name: "Nextcloud", Format: Shell, PKCE: true, Auth: post,
		Docs:   "https://github.com/nextcloud/user_oidc",
		Read:   "the documentation of user_oidc 8, at commit ff6175f, and the options of its command user_oidc:provider, at commit 0590bb1",
		Where:  "Install the app “OpenID Connect user backend” (user_oidc) and run this in Nextcloud’s folder as the user of the web server.",
		Scopes: []string{"openid", "email", "profile", "groups"},
		Notes: []string{
			"Nextcloud derives the ids of its users from Guestlist’s, so that a new email address keeps the files.",
			"Signing out of Nextcloud signs out of Guestlist as well, unless single_logout is false in Nextcloud’s config.php.",
			"Nextcloud’s groups follow those that open the app; it leaves its other groups alone.",
		},
		uses:    []string{"/apps/user_oidc/code", "/index.php/apps/user_oidc/code"},
		logout:  []string{"/"},
		channel: "/index.php/apps/user_oidc/backchannel-logout/guestlist",
	},
	{
		ID: "oauth2-proxy", Name: "oauth2-proxy", Format: TOML, PKCE: true, Auth: basic,
		Docs:   "https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview",
		Read:   "the documentation of oauth2-proxy 7, at commit 0187cc8",
		Where:  "Write this to oauth2-proxy.cfg, fill in the cookie secret and the upstream, and start oauth2-proxy with --config=oauth2-proxy.cfg.",
		Scopes: []string{"openid", "email", "profile", "groups", "offline_access"},
		Notes: []string{
			"With cookie_refresh, oauth2-proxy asks again every 10 minutes and refuses people who may no longer open the app.",
			"email_domains lets every address in because Guestlist decides who may open the app.",
		},
		uses: []string{"/oauth2/callback"},
	},
	{
		ID: "outline", Name: "Outline", Format: Env, Auth: post,
		Docs:   "https://docs.getoutline.com/s/hosting/doc/oidc-8CPBm6uC0I",
		Read:   "Outline’s .env.sample, at commit 000b2f0",
		Where:  "Add this to Outline’s environment and restart it.",
		Scopes: []string{"openid", "profile", "email", "offline_access"},
		Notes: []string{
			"Outline needs offline_access: it renews its access token with a refresh token.",
			"Outline doesn’t read groups. Choose its administrators in Outline.",
		},
		uses: []string{"/auth/oidc.callback"},
	},
	{
		ID: "portainer", Name: "Portainer", Format: Form, Auth: post,
		Docs:   "https://docs.portainer.io/admin/settings/authentication/oauth",
		Read:   "the documentation of Portainer 2, at commit 05d8c64",
		Where:  "Fill this in at Settings, Authentication, with the method OAuth and the provider Custom, and save.",
		Scopes: []string{"openid", "profile", "email", "groups"},
		Notes: []string{
			"Only Portainer Business Edition reads groups, with “Automatic team membership” and the claim name groups.",
		},
		uses: []string{""},
	},
	{
		ID: "proxmox", Name: "Proxmox VE", Format: Shell, PKCE: true, Auth: basic,
		Docs:   "https://pve.proxmox.com/pve-docs/chapter-pveum.html#pveum_openid",
		Read:   "the documentation of Proxmox VE 8.4, at commit 058258e",
		Where:  "Run this as root on one node.",
		Scopes: []string{"openid", "email", "profile", "groups"},
		Notes: []string{
			"The app’s address must have the port that people use, such as https://pve.example.com:8006.",
			"Proxmox VE adds -guestlist to the names of groups: what you allow the group Operators-guestlist is allowed to members of Operators. It takes only names of letters, digits and . _ -. Before version 8.4, leave out the three options about groups.",
			"The user name can’t be changed later: username makes names such as ada_example.com@guestlist.",
		},
		uses:    []string{""},
		example: "https://pve.example.com:8006",
	},
	{
		ID: "vaultwarden", Name: "Vaultwarden", Format: Env, PKCE: true, Auth: basic,
		Docs:   "https://github.com/dani-garcia/vaultwarden/wiki/Enabling-SSO-support-using-OpenId-Connect",
		Read:   "Vaultwarden’s .env.template, at commit 009ac48 (2026)",
		Where:  "Add this to Vaultwarden’s environment and restart it.",
		Scopes: []string{"openid", "email", "profile", "offline_access"},
		Notes: []string{
			"People keep their master passwords: signing in here doesn’t open the vault.",
			"With SSO_ONLY=true, no one signs in with email and master password any more.",
		},
		uses: []string{"/identity/connect/oidc-signin"},
	},
}
